import { describe, expect, it } from "vitest";
import { hostileBody, hostileRules } from "../../test/hostile-rules.ts";
import { searched } from "../../test/work.ts";
import { compileRule, createRules, ruleBudget, type RuleResult } from "./cel.ts";
import { Fuel } from "./cel/values.ts";

const event = {
  action: "created",
  actor: { login: "ada", isBot: false },
  subject: { number: 42 },
  text: "@bot Please FIX",
};
const body = { labels: [{ name: "bug" }, { name: "help wanted" }], nested: { empty: [], zero: 0 }, none: null };

function run(expression: string, withBody: unknown = body): boolean | string {
  const rule = compileRule(expression);
  if (!rule.ok) throw new Error(`${rule.reason}: ${rule.message}`);
  const result = rule.evaluate(event, withBody);
  return result.ok ? result.value : result.message;
}

describe("compileRule", () => {
  it.each([
    ["event.action == 'created' && !event.actor.isBot", true],
    ["event.subject.number > 41 && event.subject.number % 2 == 0", true],
    ["body.labels.exists(l, l.name == 'bug')", true],
    ["body.labels.all(l, l.name.startsWith('b'))", false],
    ["body.labels.exists_one(l, l.name.contains(' '))", true],
    ["body.labels.exists_one(l, l.name != '')", false],
    ["event.actor.login in ['ada', 'bob']", true],
    ["'labels' in body", true],
    ["has(body.absent) || has(body.nested.zero)", true],
    ["has(body.absent) && body.absent.deeper == 1", false],
    ["body.absent == 1 || event.action == 'created'", true],
    ["body.labels.exists(l, l.absent == 1 || l.name == 'bug')", true],
    ["event.text.matches('(?i)please\\\\s+fix')", true],
    ["event.text.lowerAscii().endsWith('fix')", true],
    ["'[az{é€\\U0001F600]'.upperAscii() == '[AZ{é€\\U0001F600]' && '@AZ[É'.lowerAscii() == '@az[É'", true],
    ["size(body) == 3 && body.nested == body.nested && body.nested != body.labels[0]", true],
    ["body.nested.exists(key, key == 'zero')", true],
    ["'a\\U0001F600b'.size() == 3", true],
    ["size(body.labels) == 2 && body.labels[1].name.size() == 11", true],
    ["body.none == null", true],
    ["body.labels == [body.labels[0], body.labels[1]]", true],
    ["event.subject.number == 42 ? true : false", true],
    ["body.nested.empty.all(x, x.y)", true],
    ["event.actor.login + '!' == 'ada!'", true],
    ["body.labels.exists(a, body.labels.exists(b, a.name != b.name && a == body.labels[0]))", true],
    ["body.labels.exists(l, l.name == 'bug') && body.labels.exists(l, l.name == 'help wanted')", true],
  ])("%s is %s", (expression, expected) => {
    expect(run(expression)).toBe(expected);
  });

  it.each([
    ["body.absent == 1", /does not exist/],
    ["event.text", /not a bool/],
    ["body.constructor == null", /does not exist/],
    ["body.labels[7].name == ''", /does not exist/],
    ["event.text < 5", /no order/],
  ])("%s fails with a human-readable message", (expression, message) => {
    expect(run(expression)).toMatch(message);
  });

  it.each([
    ["event.action ==", "RuleInvalid"],
    ["'text'", "RuleInvalid"],
    ["nobody.knows", "RuleInvalid"],
    ["body.labels.map(l, l.name).size() > 1", "RuleInvalid"],
    ["body.labels.filter(l, true).size() > 1", "RuleInvalid"],
    ["event.text.split(' ').size() > 1", "RuleInvalid"],
    ["event.text.matches(event.text)", "RuleInvalid"],
    ["event.text.matches('(')", "RuleInvalid"],
    ["cel.bind(x, event, x.action == 'created')", "RuleInvalid"],
    ["event.text.toString()", "RuleInvalid"],
    ["event.subject.number / 2 == 21", "RuleInvalid"],
    ["body.l.all(a, body.l.all(b, body.l.all(c, true)))", "RuleTooExpensive"],
    [`body.l.all(a, body.l.all(b, ${"a.x == b.x && ".repeat(12)} true))`, "RuleTooExpensive"],
    [`event.text == '${"x".repeat(2100)}'`, "RuleTooExpensive"],
  ])("refuses %s", (expression, reason) => {
    expect(compileRule(expression)).toMatchObject({ ok: false, reason, message: expect.stringMatching(/\w+/) });
  });
});

describe("createRules", () => {
  it("compiles each rule once, and forgets the oldest of 1,024 rules when there is a further one", () => {
    const compile = createRules();
    const oldest = compile("true");
    for (let n = 1; n < 1_024; n++) compile(`${n} == ${n}`);
    expect(compile("true")).toBe(oldest);
    compile("false");
    expect(compile("true")).not.toBe(oldest);
  });
});

describe("a hostile rule with a hostile body", () => {
  it.each(hostileRules)("$expression ends, and each character that it reads is charged", ({ expression, ends }) => {
    const rule = compileRule(expression);
    if (!rule.ok) throw new Error(rule.message);
    const fuel = new Fuel(ruleBudget);
    let result: RuleResult | undefined;
    const characters = searched(() => (result = rule.evaluate({}, hostileBody, fuel)));
    const message = ends === "stopped" ? /exceeded the cost limit/ : ends;
    expect(result).toMatchObject(ends === "value" ? { ok: true } : { ok: false, message });
    expect(fuel.spent > ruleBudget).toBe(ends === "stopped");
    expect(characters).toBeLessThanOrEqual(fuel.spent);
  });
});
