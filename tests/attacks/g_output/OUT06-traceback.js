// OUT06 provokes stacks that could show where the guest was built
// expect = ["denied", "absent"]
// --- twin
if (!new Error("x").stack.includes("main.js")) throw new Error("no file");
console.log("ok");
// --- attack
for (const text of ["{", "null.x", "x=>", "throw new Error('x')"]) {
  try { eval(text); } catch (error) { console.log(error.stack); }
}
try { new URL("::"); } catch (error) { console.log(error.stack); }
try { structuredClone(() => 1); } catch (error) { console.log(error.stack); }
try { require("fs").readFileSync("none"); } catch (error) { console.log(error.stack); }
null.x;
