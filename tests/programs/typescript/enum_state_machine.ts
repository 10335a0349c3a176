// enums, namespaces, parameter properties and a typed state machine
enum State { Idle, Loading = 5, Ready, Failed = 'failed'.length }
enum Level { Low = 'LOW', High = 'HIGH' }
const enum Flags { None = 0, Read = 1 << 0, Write = 1 << 1, All = Read | Write }
namespace Util {
  export const pad = (text: unknown, width = 8): string => String(text).padEnd(width);
  export namespace Deep { export let count = 0; export function bump(by: number = 1): number { return (count += by); } }
}
type Transition = Readonly<{ from: State; event: string; to: State }>;
abstract class Machine<E extends string> {
  protected history: State[] = [];
  constructor(protected state: State, private readonly table: readonly Transition[], public name?: string) {}
  abstract onEnter(state: State): void;
  send(event: E): State {
    const next = this.table.find((t) => t.from === this.state && t.event === event);
    if (!next) throw new Error(`${this.name ?? 'machine'}: no ${event} in ${State[this.state]}`);
    this.history.push(this.state);
    this.state = next.to;
    this.onEnter(this.state);
    return this.state;
  }
}
class Loader extends Machine<'load' | 'done' | 'error' | 'reset'> {
  static readonly table: Transition[] = [
    { from: State.Idle, event: 'load', to: State.Loading },
    { from: State.Loading, event: 'done', to: State.Ready },
    { from: State.Loading, event: 'error', to: State.Failed },
    { from: State.Ready, event: 'reset', to: State.Idle },
  ];
  constructor() { super(State.Idle, Loader.table, 'loader'); }
  override onEnter(state: State): void { console.log(Util.pad(State[state]), state, Util.Deep.bump()); }
}
const loader = new Loader();
for (const event of ['load', 'done', 'load', 'reset'] as const) {
  try { loader.send(event); } catch (error: unknown) { if (error instanceof Error) console.log(error.message); }
}
console.log(State, Level, State.Idle, State[6], Level.High, Object.keys(State).length);
console.log(Flags.All, Flags.Read | Flags.Write, (Flags.All & Flags.Write) !== 0);
console.log(loader, Util.Deep.count, Util);
function overloaded(value: string): string;
function overloaded(value: number, times?: number): number;
function overloaded(value: any, times = 2): any { return typeof value === 'string' ? value.toUpperCase() : value * times; }
console.log(overloaded('abc'), overloaded(4), overloaded(4, 5));
declare const notThere: string;
console.log(typeof notThere, ((x?: number): x is number => x !== undefined)(1));
