const sentenceEnd = /[.!?…]["'”’)\]]*$/;

/** An error's message followed by "Trying again.", with a full stop between the two if the message has no sentence end of its own. */
export function tryingAgain(message: string): string {
  const said = message.trimEnd();
  return `${said}${said === "" || sentenceEnd.test(said) ? "" : "."} Trying again.`.trimStart();
}
