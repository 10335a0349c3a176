// imported files are compiled too, each with the tsconfig.json above it, and with its own lines
// files = { "old/tsconfig.json" = "{ // comments\n \"compilerOptions\": { \"experimentalDecorators\": true, \"emitDecoratorMetadata\": true, }, }", "old/model.ts" = "export const types: unknown[] = [];\n(Reflect as any).metadata = (key: string, value: unknown) => () => { types.push([key, (value as any)?.name]); };\nfunction column(target: object, name: string) { types.push([typeof target, name]); }\nexport class Model { @column age: number = 1; @column name?: string; }\n", "new/model.ts" = "function column(value: undefined, context: ClassFieldDecoratorContext) { return (start: number) => start * 2; }\n\nexport class Model { @column age: number = 21;\n  fail(): never {\n    throw new Error('here'); } }\n", "space.ts" = "export namespace Größe { export const x = 1; export namespace /* inner */ Tief { export const y = x + 1; } }" }
import { Model as Old, types } from './old/model';
import { Model as New } from './new/model.ts';
import { Größe } from './space.js';

console.log(new Old().age, JSON.stringify(types));
const model = new New();
console.log(model.age, Größe.x, Größe.Tief.y);
try { model.fail(); } catch (error) { console.log(/model\.ts:(\d+)/.exec((error as Error).stack!)![1]); }
