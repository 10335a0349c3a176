// namespaces with code: exports, nesting, merging, and those that hold types alone
namespace Setup { console.log('working'); }
namespace Shapes {
  const secret = 2;
  export const PI = 3.14, TWO: number = 1 + secret - 1;
  export let count = 0;
  export function area(r: number): number { count++; return PI * r ** secret; }
  export async function later<T>(value: T): Promise<T> { return value; }
  export class Circle<T = { a: number }> { constructor(public r: number) {} area() { return area(this.r); } }
  export enum Kind { Round = 1, Square }
  export interface Point { x: number; y: number }
  export type Name = 'a' | 'b';
  export abstract class Base { abstract go(): void; }
  export namespace Deep { export const value = 'deep'; export function up() { return PI; } }
  namespace Hidden { export const x = { y: [1, { z: '}' }] }; }
  export const { a, b: [c] } = { a: 1, b: [Hidden.x.y.length] };
  const shift = 8 >> 1, big = 5 >= 3, text = `tem${ { p: 1 }.p }plate }`, pattern = /[}]/g;
  export const all = [shift, big, text, pattern.test('}')];
}
namespace Shapes { export const extra = 'merged'; }
namespace A.B.C { export const v = 5; export const w = () => v + 1; }
class Box { static make(): Box.Options { return { size: 1 }; } }
namespace Box { export interface Options { size: number } export const standard = 9; }
function fn() { return fn.tag; }
namespace fn { export const tag = 'tagged'; }
enum Color { Red, Green }
namespace Color { export function parse(name: string): Color { return (Color as any)[name]; } }
declare namespace Ambient { function f(): void; const x: number; }
declare global { namespace NodeJS { interface Own { a: string } } }
namespace OnlyTypes { export type T = string; export interface I { t: T } }
export namespace Exported { export const yes = true; }
const namespace = 'a name', module = { namespace };
console.log(Shapes.PI, Shapes.TWO, Shapes.area(1), Shapes.count, new Shapes.Circle(2).area(), Shapes.count, Shapes.Kind.Square, Shapes.Kind[1]);
Shapes.count = 10; Shapes.area(1); console.log(Shapes.count, Shapes.Deep.value, Shapes.Deep.up(), (Shapes as any).Hidden, (Shapes as any).secret, Shapes.a, Shapes.c, Shapes.all, (Shapes as any).extra);
console.log(A.B.C.v, A.B.C.w(), Box.make(), Box.standard, fn(), Color.parse('Green'), Color[0], Exported.yes, namespace, module);
console.log(Object.keys(Shapes), A);
const t: OnlyTypes.T = 'typed'; console.log(t);
function line() { return /:(\d+):\d+\)?$/m.exec(new Error().stack!.split('\n')[2])![1]; }
console.log(line());
Shapes.later('later').then(console.log);
