// standard decorators, `accessor`, and the older form that decorates parameters, as `tsc` has them
const seen: string[] = [];
const mail = "someone@example.com"; // an @ in text is none
function logged<This, Args extends unknown[], Return>(method: (this: This, ...args: Args) => Return, context: ClassMethodDecoratorContext) {
  seen.push(`${context.kind} ${String(context.name)} ${context.static}`);
  return function (this: This, ...args: Args): Return { seen.push(`call ${String(context.name)}`); return method.call(this, ...args); };
}
const sealed = (Class: Function, context: ClassDecoratorContext) => { Object.seal(Class); context.addInitializer(() => { seen.push(`made ${context.name}`); }); };
function doubled(value: ClassAccessorDecoratorTarget<unknown, number>, context: ClassAccessorDecoratorContext): ClassAccessorDecoratorResult<unknown, number> {
  return { get() { return value.get.call(this) * 2; }, init(start) { return start + 1; } };
}
const field = (start: undefined, { name }: ClassFieldDecoratorContext) => (value: number) => value * 10;

@sealed
class Point<T extends number = number> {
  @field x: number = 1;
  @doubled accessor y = 20;
  static accessor count = 0;
  @logged
  add(other: { x: number }): string {
    Point.count++;
    return `sum
${this.x + other.x}`;
  }
  @logged static make(): Point { return new Point(); }
}
const point = Point.make();
console.log(point.x, point.y, point.add({ x: 5 }), Point.count, Object.isSealed(Point), mail);
console.log(seen.join('; '));
try { at(); } catch (error) { console.log(/main\.ts:(\d+)/.exec((error as Error).stack!)![1]); }
function at(): never { throw new Error("the line is the source's"); }
