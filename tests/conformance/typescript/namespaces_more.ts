// namespaces in several parts share what they export; aliases, re-exports of names, enums and generics inside
namespace Shapes { export const unit = 1; export enum Kind { Round, Square } export type Side = number; }
namespace Shapes { export const twice = unit * 2; export function area<T extends Side>(side: T): number { return side * unit * Kind.Square; } }
namespace Outer.Inner { export class Box<T> { constructor(public readonly value: T) {} } export import K = Shapes.Kind; }
import Box = Outer.Inner.Box;
declare namespace Absent { const x: number; }
namespace OnlyTypes { export interface A { b: string } }
const enum Level { Low = 1, High = Low << 4 }
console.log(Shapes.twice, Shapes.area(3), new Box<string>('in').value, Outer.Inner.K[0], Level.High, typeof Absent, typeof OnlyTypes);
const [a, { b }] = [1, { b: 2 }];
namespace Names { export const { length } = 'four'; export let changing = 1; export const bump = () => ++changing; }
Names.bump();
console.log(Names.length, Names.changing, a, b);
