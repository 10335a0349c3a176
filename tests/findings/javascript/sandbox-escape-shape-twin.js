// expect:
class Shape {
  constructor(name) { this.name = name; }
  copy() { return new this.constructor(this.name); }
}
console.log(new Shape('a').copy().constructor.name, require.main === module, process.mainModule);
