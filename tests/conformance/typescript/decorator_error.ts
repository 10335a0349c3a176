// an error in a file with decorators has the line of the source
// exit = 1
// raises = "RangeError"
// stderr = ["main.ts:16", "too far"]
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
