// an error in a file with decorators has the line of the source
// only = "a container has no TypeScript compiler: it strips types, and compiles namespaces by itself"
// exit = 1
// raises = "RangeError"
// stderr = ["main.ts:17", "too far"]
interface Shape {
  side: number;
}

const plain = (value: unknown, context: DecoratorContext) => {};

@plain
class Square implements Shape {
  accessor side = 1;

  @plain area(): number {
    throw new RangeError("too far");
  }
}
namespace Shapes {
  export const one = new Square();
}
Shapes.one.area();
