// a mistake in a file with decorators is a syntax error with its line
// exit = 1
// raises = "SyntaxError"
// stderr = ["main.ts:8", "expected"]
const plain = (value: unknown, context: DecoratorContext) => {};
@plain
class A {
  m( { return 1; }
}
