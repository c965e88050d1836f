import { createHash } from "node:crypto";

/** A human-readable page, as data; every text is escaped. */
export interface Page {
  status: number;
  title: string;
  text: string;
  /** The path of the page at which the person can begin again. */
  again?: string | undefined;
  retryAfterSeconds?: number | undefined;
}

/** An HTTP answer. */
export interface PageAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color:#1d1d1f;background:#fff}";
const styleHash = createHash("sha256").update(style).digest("base64");

/** Headers of every answer: the pages run and load nothing, appear in no frame, and pass their address, which has the code, to nobody. */
export const pageHeaders = {
  "cache-control": "no-store",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-robots-tag": "noindex",
} as const;

/** Renders a page. */
export function renderPage({ status, title, text, again, retryAfterSeconds }: Page): PageAnswer {
  const link = again === undefined ? "" : `<p><a href="${escape(again)}">Begin again</a></p>`;
  const body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title><style>${style}</style></head>
<body><h1>${escape(title)}</h1><p>${escape(text)}</p>${link}</body>
</html>
`;
  const retry = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  return { status, headers: { ...pageHeaders, "content-type": "text/html; charset=utf-8", ...retry }, body };
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
