// a typed text pipeline: tokenizing, stop words, TF-IDF and similarity
type Token = string & { readonly brand?: unique symbol };
interface Document { title: string; body: string }
type Scores = ReadonlyMap<Token, number>;
const STOP: ReadonlySet<string> = new Set('the a an and or of to in is it on for with as at by'.split(' '));
const documents: readonly Document[] = [
  { title: 'cats', body: 'The cat sat on the mat; the cat is happy. Cats like mats!' },
  { title: 'dogs', body: 'A dog sat by the log and the dogs barked at the cat.' },
  { title: 'finance', body: 'Markets rose as banks cut rates. Rates of interest fell in the markets.' },
];
const stem = (word: string): Token => word.replace(/(?<=\w{3})(?:ies|es|s|ed|ing)$/, '') as Token;
const tokenize = (text: string): Token[] => (text.toLowerCase().match(/\p{L}+/gu) ?? []).filter((w) => !STOP.has(w)).map(stem);
function count<T>(items: Iterable<T>): Map<T, number> { const m = new Map<T, number>(); for (const i of items) m.set(i, (m.get(i) ?? 0) + 1); return m; }
class Index {
  readonly vectors: Map<string, Scores>;
  #frequency = new Map<Token, number>();
  constructor(docs: readonly Document[]) {
    const counts = docs.map((d): [string, Map<Token, number>] => [d.title, count(tokenize(d.body))]);
    for (const [, c] of counts) for (const t of c.keys()) this.#frequency.set(t, (this.#frequency.get(t) ?? 0) + 1);
    this.vectors = new Map(counts.map(([title, c]) => [title, this.#weigh(c, docs.length)]));
  }
  #weigh(c: Map<Token, number>, n: number): Scores { const total = [...c.values()].reduce((a, b) => a + b, 0); return new Map([...c].map(([t, k]) => [t, (k / total) * Math.log((1 + n) / (1 + (this.#frequency.get(t) ?? 0)))])); }
  static cosine(a: Scores, b: Scores): number {
    const dot = [...a].reduce((s, [t, w]) => s + w * (b.get(t) ?? 0), 0), size = (v: Scores): number => Math.sqrt([...v.values()].reduce((s, w) => s + w * w, 0));
    return dot === 0 ? 0 : dot / (size(a) * size(b));
  }
  search(query: string): { title: string; score: number }[] {
    const vector: Scores = new Map(tokenize(query).map((t) => [t, 1]));
    return [...this.vectors].map(([title, v]) => ({ title, score: +Index.cosine(vector, v).toFixed(4) })).filter((r) => r.score > 0).sort((a, b) => b.score - a.score);
  }
}
const index = new Index(documents);
for (const [title, vector] of index.vectors) console.log(title.padEnd(8), [...vector].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, 3).map(([t, w]) => `${t}=${w.toFixed(4)}`).join(' '));
for (const query of ['cat', 'sitting dogs', 'interest rates', 'nothing here']) console.log(query, index.search(query));
const titles = [...index.vectors.keys()];
console.table(Object.fromEntries(titles.map((a) => [a, Object.fromEntries(titles.map((b) => [b, +Index.cosine(index.vectors.get(a)!, index.vectors.get(b)!).toFixed(3)]))])));
const ngrams = (s: string, n = 2): string[] => Array.from({ length: s.length - n + 1 }, (_, i) => s.slice(i, i + n));
const dice = (a: string, b: string): number => { const x = ngrams(a), y = new Set(ngrams(b)); return (2 * x.filter((g) => y.has(g)).length) / (x.length + y.size); };
console.log(dice('night', 'nacht'), dice('context', 'contact'), tokenize('Running, játszó CATS & naïve ponies'), count('mississippi'));
const levenshtein = (a: string, b: string): number => { let row = Array.from({ length: b.length + 1 }, (_, i) => i); for (const [i, x] of [...a].entries()) row = [...b].reduce<number[]>((next, y, j) => [...next, Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + +(x !== y))], [i + 1]); return row.at(-1)!; };
console.log(levenshtein('kitten', 'sitting'), levenshtein('', 'abc'), levenshtein('same', 'same'));
