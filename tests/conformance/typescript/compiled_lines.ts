// methods and statements of a compiled file keep their lines, whatever the compiler puts before and behind them
// files = { "old.ts" = "const tag = (...values: unknown[]) => {};\n@tag\nexport class Old {\n  @tag first = 1;\n  constructor(@tag public name: string) {}\n\n  plain(): string {\n    return new Error().stack!;\n  }\n  @tag marked(): string {\n    return new Error().stack!;\n  }\n}\nexport const after = () => new Error().stack!;\n" }
import { Old, after } from './old.ts';
const note = (value: unknown, context: DecoratorContext): any => {};
const lines: unknown[] = [];
const line = (stack = new Error().stack!.split('\n').slice(2).join('\n')) => lines.push(/(?:main|old)\.ts:(\d+)/.exec(stack)![1]);
enum Level { Low, High }

@note
class New<T = { a: number }> {
  @note static made = line();
  @note first: number = line();

  plain(
    value?: T,
  ): void {
    line();
  }
  @note accessor second = line();
  @note
  marked(): void {
    const text = `one
two`;
    line();
  }
  static #hidden = 1;
  static { line(); }

  last = () => {
    line();
  };
}
namespace Space {
  export const before = line();
  export function inside() {
    line();
  }
}
line();
const made = new New();
made.plain();
made.marked();
made.last();
Space.inside();
const old = new Old('name');
for (const stack of [old.plain(), old.marked(), after()]) line(stack);
console.log(lines.join());
