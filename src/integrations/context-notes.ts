/** Stands for a text that may have been edited after the task was requested. The agent must not see such a text: nobody authorised it. */
export const possiblyEdited = "(left out: this text may have been edited after the task was requested)";

/** Ends a text that was cut. */
export const cutMark = "\n… (cut: too long)";
