/**
 * How urgent a call is, the most urgent first. `Acknowledgement`: the first sign that a request was received. `Answer`: somebody waits for it, for example a
 * first or final report, a question, a change. `Recovery`: a request to deliver a missed event again. `Progress`: nobody waits for it, for
 * example an edit of a report that is already there, or the revocation of a token.
 */
export const urgencies = ["Acknowledgement", "Answer", "Recovery", "Progress"] as const;
export type Urgency = (typeof urgencies)[number];
