// expect:
const root = Function('return this')();
const pattern = /eval/y;
class Engine {
  eval(text) { return `eval(${text})`; }
}
console.log(root === globalThis, pattern.exec('eval'), new Engine().eval('x'), typeof eval, eval('2 * 3'), text instanceof Function);
