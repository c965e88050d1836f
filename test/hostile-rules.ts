/**
 * Rules that would take long on a hostile body, and how the evaluation of each ends: `stopped` when its fuel is spent, with a `value`, or with a
 * message if another bound stops it. Tests check the outcome; `make bench BENCH=rules` measures the time per unit of fuel.
 */
export const hostileRules: readonly { expression: string; ends: "stopped" | "value" | RegExp }[] = [
  { expression: "body.text.matches('(a+)+$')", ends: "value" },
  { expression: "body.text.matches('[a-z]{1,50}[0-9]')", ends: "stopped" },
  { expression: "body.text.matches('(a?){100}a{100}b')", ends: "stopped" },
  { expression: "body.names.all(x, x.name.matches('a*b'))", ends: "value" },
  { expression: "body.names.all(x, body.more.all(y, x.name != y.name))", ends: "stopped" },
  { expression: "body.names.all(x, body.more.all(y, x.nope == y.nope))", ends: /does not exist/ },
  { expression: "body.names.all(x, body.more.all(y, x.n != y.n + 1000))", ends: "value" },
  { expression: "body.names.all(x, body.more.all(y, x.n != y.n + 1000 && x.n - y.n != 1000))", ends: "value" },
  { expression: "body.names.all(x, body.more.all(y, x.n > 1000 || y.n < 1000))", ends: "value" },
  { expression: "body.names.all(x, !x.name.contains(body.half))", ends: "stopped" },
  { expression: "body.text.contains(body.half)", ends: "stopped" },
  { expression: "body.names == body.more", ends: "value" },
  { expression: "body.wide.all(x, x < 5)", ends: /more than 256 entries/ },
  { expression: "7 in body.wide && 100001 in body.wide", ends: "value" },
  { expression: "body.huge.contains('a')", ends: /more than 65536 characters/ },
  { expression: "body.names.exists(x, x.name.lowerAscii() == x.name.upperAscii())", ends: "stopped" },
  { expression: "body.names.all(x, x.name + x.name != '')", ends: /makes a text of more than 65536 characters/ },
  { expression: "body.names.all(x, body.names.all(y, x.name < y.name || true))", ends: "stopped" },
  { expression: "body.names.all(x, x.name.size() > 1)", ends: "stopped" },
  { expression: "body.names.all(x, x.name.trim() != '')", ends: "stopped" },
  { expression: "body.names.all(x, body.map.all(key, true) || true)", ends: "stopped" },
  { expression: "body.names.all(x, size(body.map) < 1 || true)", ends: "stopped" },
  { expression: "body.names.all(x, body.empty != body.map)", ends: "stopped" },
  { expression: "body.names.all(x, body.mixed.lowerAscii() != body.mixed.upperAscii())", ends: "stopped" },
  { expression: "body.names.all(x, body.oneByte != body.twoBytes)", ends: "stopped" },
];

const long = "a".repeat(65_535);
const names = Array.from({ length: 256 }, (_, at) => ({ name: long + String(at % 10), n: at }));

/** A body with texts and lists of the maximum size, and larger ones. */
export const hostileBody = {
  names,
  more: names.map((entry) => ({ ...entry, name: `${entry.name.slice(0, -1)}z` })),
  text: `${long}!`,
  huge: "b".repeat(20_000_000),
  wide: Array.from({ length: 100_000 }, (_, at) => at),
  half: "a".repeat(32_000) + "b",
  // As many keys as a body may have values.
  map: Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${at}`, at])),
  empty: {},
  mixed: "aA".repeat(32_700),
  oneByte: "a".repeat(8_000_000),
  twoBytes: `${"a".repeat(7_999_999)}€`,
};
