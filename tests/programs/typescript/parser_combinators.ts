// parser combinators for JSON and arithmetic
type Output<T> = { ok: true; value: T; rest: string } | { ok: false; expected: string; rest: string };
type Parser<T> = (input: string) => Output<T>;
const regex = (pattern: RegExp, name: string): Parser<string> => (input) => {
  const match = new RegExp(`^\\s*(?:${pattern.source})`, pattern.flags).exec(input);
  return match ? { ok: true, value: match[0].trim(), rest: input.slice(match[0].length) } : { ok: false, expected: name, rest: input };
};
const text = (s: string): Parser<string> => regex(new RegExp(s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')), `"${s}"`);
const map = <A, B>(p: Parser<A>, f: (a: A) => B): Parser<B> => (i) => { const r = p(i); return r.ok ? { ...r, value: f(r.value) } : r; };
const seq = <T extends unknown[]>(...ps: { [K in keyof T]: Parser<T[K]> }): Parser<T> => (input) => {
  const values: unknown[] = [];
  let rest = input;
  for (const p of ps as Parser<unknown>[]) { const r = p(rest); if (!r.ok) return r; values.push(r.value); rest = r.rest; }
  return { ok: true, value: values as T, rest };
};
const alt = <T,>(...ps: Parser<T>[]): Parser<T> => (input) => {
  let furthest: Output<T> = { ok: false, expected: 'nothing', rest: input };
  for (const p of ps) { const r = p(input); if (r.ok) return r; if (r.rest.length < furthest.rest.length || furthest.ok) furthest = r; }
  return furthest.rest.length < input.length ? furthest : { ok: false, expected: 'a value', rest: input };
};
const many = <T,>(p: Parser<T>): Parser<T[]> => (input) => { const value: T[] = []; let rest = input; for (;;) { const r = p(rest); if (!r.ok) return { ok: true, value, rest }; value.push(r.value); rest = r.rest; } };
const sepBy = <T,>(p: Parser<T>, s: string): Parser<T[]> => alt(map(seq<[T, T[]]>(p, many(map(seq<[string, T]>(text(s), p), ([, v]) => v))), ([first, others]) => [first, ...others]), () => ({ ok: true, value: [], rest: '' }) as Output<T[]>);
const lazy = <T,>(f: () => Parser<T>): Parser<T> => (i) => f()(i);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
const string = map(regex(/"(?:[^"\\]|\\.)*"/, 'string'), (s) => JSON.parse(s) as string);
const value: Parser<Json> = lazy(() => alt<Json>(map(text('null'), () => null), map(regex(/true|false/, 'boolean'), (b) => b === 'true'), map(regex(/-?\d+(\.\d+)?([eE][+-]?\d+)?/, 'number'), Number), string, array, object));
const list = <T,>(p: Parser<T>): Parser<T[]> => (i) => { const first = p(i); if (!first.ok) return { ok: true, value: [], rest: i }; const others = many(map(seq<[string, T]>(text(','), p), ([, v]) => v))(first.rest); return others.ok ? { ...others, value: [first.value, ...others.value] } : others; };
const array: Parser<Json> = map(seq<[string, Json[], string]>(text('['), list(value), text(']')), ([, items]) => items);
const object: Parser<Json> = map(seq<[string, [string, string, Json][], string]>(text('{'), list(seq<[string, string, Json]>(string, text(':'), value)), text('}')), ([, pairs]) => Object.fromEntries(pairs.map(([k, , v]) => [k, v])));
for (const source of ['{"a": [1, -2.5e3, {"b": null}], "c": "x\\n\\u00e9"}', '[true, false, []]', '"lonely"', '[1, 2', '{"a" 1}', '', '[1,]']) {
  const result = value(source);
  console.log(JSON.stringify(source), result.ok ? [result.value, result.rest] : `expected ${result.expected} at ${JSON.stringify(result.rest)}`);
}
const number: Parser<number> = map(regex(/\d+(\.\d+)?/, 'number'), Number);
const factor: Parser<number> = lazy(() => alt(number, map(seq<[string, number, string]>(text('('), sum, text(')')), ([, v]) => v), map(seq<[string, number]>(text('-'), factor), ([, v]) => -v)));
const chain = (p: Parser<number>, ops: Record<string, (a: number, b: number) => number>): Parser<number> => map(seq<[number, [string, number][]]>(p, many(seq<[string, number]>(alt(...Object.keys(ops).map(text)), p))), ([first, others]) => others.reduce((a, [op, b]) => ops[op]!(a, b), first));
const product = chain(factor, { '*': (a, b) => a * b, '/': (a, b) => a / b });
const sum: Parser<number> = chain(product, { '+': (a, b) => a + b, '-': (a, b) => a - b });
for (const source of ['1 + 2 * 3', '(1 + 2) * -3', '10 / 4 - 1', '2 * (3 + 4) * 5', '1 +', 'x']) console.log(source, '=>', sum(source));
void sepBy;
