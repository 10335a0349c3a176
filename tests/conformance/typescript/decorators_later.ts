// files that a program makes or names while it runs are compiled too
// files = { "parts/counter.ts" = "export class Counter { accessor count = 1; static accessor #made = 2; static made() { return Counter.#made; } }", "parts/shapes.ts" = "namespace Shapes { export const sides = 4; }\nmodule.exports = Shapes;", "parts/broken.ts" = "export class A {\n  @later\n  m( { return 1; }\n}" }
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const load = (name: string) => import(`./parts/${name}.ts`);
const { Counter } = await load('counter');
console.log(new Counter().count, Counter.made());
console.log(createRequire(import.meta.url)('./parts/shapes').sides);
const kind = (Class: Function, context: { kind: string }) => context.kind;
Object.assign(globalThis, { plain: (Class: Function, context: { kind: string }) => { console.log(kind(Class, context)); } });
writeFileSync('made.ts', `${String.fromCharCode(64)}plain class A {}\nexport const made: number = 3;\n`);
console.log((await import('./made.ts')).made);
try { await load('broken'); } catch (error) { console.log((error as Error).name, (error as Error).message, /broken\.ts:(\d+)/.exec((error as Error).stack!)![1]); }
