// what a namespace cannot export is refused with its line
// exit = 1
// raises = "SyntaxError"
// stderr = ["main.ts:7", "`export default` is not supported in a namespace"]
namespace A {
  export const fine = 1;
  export default 5;
}
