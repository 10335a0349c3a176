// an uncaught error shows the line of the source as it was written
// exit = 1
// raises = "RangeError"
// stderr = ["main.ts:9", "too far"]
interface A {
  x: number;
}
function far(a: A): never {
  throw new RangeError("too far");
}
far({ x: 1 });
