// enums, parameter properties, generics, abstract classes and await
enum Colour { Red, Green = 5, Blue }
namespace Unused { export type X = number }
abstract class Shape { constructor(protected readonly name: string, public side = 2) {} abstract area(): number; describe(): string { return `${this.name} ${this.area()}`; } }
class Square extends Shape { override area(): number { return this.side ** 2; } }
const later = async <T,>(value: T): Promise<T> => value;
console.log(Colour.Blue, Colour[5], new Square("square").describe(), await later<string>("typed"));
