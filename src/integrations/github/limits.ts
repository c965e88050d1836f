/**
 * Rates, retries, waits, page sizes and cache times of GitHub's API. Sources: GitHub, "Best practices for using the REST API" (writes, secondary
 * rate limits), "Rate limits for the REST API" and "Using pagination in the REST API" (100 entries on a page). A call has the time-outs of
 * the process's HTTP client (`../http.ts`), because GitHub names none.
 */

/** The pace of requests that change something: GitHub asks for at least a second between them. */
export const writes = { everyMs: 1_000 };

/**
 * The client sends no request again after a rate limit or a server error (Octokit without plugins never does): the controllers retry, with back-off.
 * Only a request with an installation
 * token that GitHub refused (401) is sent once more, because it changed nothing: with a new token, or if the token is younger than `youngMs`,
 * with the same one after `waitMs`. A replica of GitHub may not know a token yet that another replica has just created.
 */
export const retries = { refusedToken: { youngMs: 5_000, waitMs: 1_000 } };

/** The pause after a secondary rate limit for which GitHub names no time: at least one minute. */
export const unnamedPauseMs = 60_000;

/** Added to the end of a primary rate limit, which GitHub gives in whole seconds; also the shortest pause. */
export const resetMarginMs = 1_000;

/**
 * How long answers are cached that many tasks need: the bot's account, and the installation of a repository. A suspended installation is noticed
 * earlier, when the next token is minted.
 */
export const cacheMs = { identity: 3_600_000, installation: 60_000 };

/** How long a git credential that holds a personal access token is used before the broker asks for it again. */
export const broadTokenMs = 3_600_000;

/** Entries on a page, and the most pages that one search or one reading takes. */
export const pages = { size: 100, installations: 50, hooks: 10, repositories: 10, comments: 20 };

/**
 * `atOnce`: the most missed deliveries that one search asks for, because each takes a turn in the pace, and what was asked for is stored after the
 * search. `lateMs`: how long after its time a delivery may appear in the log; GitHub waits 10 s for an answer, and the rest is for clocks that
 * differ. `rememberMs`: how long an attempt that was asked for is not asked for again, if the next search finds it again.
 */
export const redeliveries = { atOnce: 20, lateMs: 60_000, rememberMs: 600_000 };
