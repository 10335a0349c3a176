// decorators are refused with their line
// exit = 1
// raises = "SyntaxError"
// stderr = ["main.ts:8", "decorators are not supported; call the function on the class or its method instead"]
const mail = "someone@example.com"; // an @ in text is none
function sealed<T>(target: T): T { return target; }

@sealed
class A {}
