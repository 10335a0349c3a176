// an ordinary script: interfaces, functions, arrays of objects and output
interface Student { name: string; grades: number[]; year: 1 | 2 | 3 }
type Summary = { name: string; average: number; passed: boolean };

const students: Student[] = [
  { name: 'Ann', grades: [90, 85.5, 78], year: 1 },
  { name: 'Bob', grades: [40, 55, 61], year: 2 },
  { name: 'Çelik', grades: [], year: 3 },
];

function average(values: number[]): number {
  if (values.length === 0) return NaN;
  return values.reduce((sum: number, value: number): number => sum + value, 0) / values.length;
}

function summarize({ name, grades }: Student, limit: number = 60): Summary {
  const mean = average(grades);
  return { name, average: Math.round(mean * 100) / 100, passed: mean >= limit };
}

const summaries: Summary[] = students.map((s) => summarize(s));
console.log(summaries);
console.table(summaries);
for (const { name, average: mean, passed } of summaries) {
  console.log(`${name.padEnd(8)} ${Number.isNaN(mean) ? '  n/a' : mean.toFixed(1).padStart(5)} ${passed ? 'passed' : 'failed'}`);
}
const byYear: { [year: number]: string[] } = {};
students.forEach((s: Student): void => { (byYear[s.year] ||= []).push(s.name); });
console.log(byYear, students.filter((s) => s.grades.length > 0).map((s) => Math.max(...s.grades)));
let maybe: string | null = null;
console.log(maybe ?? 'default', (maybe as string | null)?.length, students[0]!.name.length, students.at(-1)?.name);
const cache: Map<string, Promise<number>> = new Map();
async function slow(key: string): Promise<number> {
  if (!cache.has(key)) cache.set(key, new Promise<number>((resolve) => setTimeout(() => resolve(key.length), 1)));
  return cache.get(key)!;
}
Promise.all([slow('abc'), slow('abc'), slow('z')]).then((values: number[]) => console.log(values, cache.size));
class Stack<T> { private items: T[] = []; push(...items: T[]): void { this.items.push(...items); } pop(): T | undefined { return this.items.pop(); } get size(): number { return this.items.length; } static of<T>(...items: T[]): Stack<T> { const s = new Stack<T>(); s.push(...items); return s; } }
const stack = Stack.of<number | string>(1, 'two', 3);
console.log(stack.pop(), stack.size, stack);
