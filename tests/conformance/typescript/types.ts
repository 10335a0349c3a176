// types are taken off and the program runs
// value = "[ 'Ada: 36', 'Alan: 41' ]"
// json = "[\"Ada: 36\",\"Alan: 41\"]"
interface Person { name: string; age: number }
type Shown = `${string}: ${number}`;
const people: Person[] = [{ name: "Ada", age: 36 }, { name: "Alan", age: 41 }];
function show<T extends Person>(person: T, how?: (p: T) => Shown): Shown { return how ? how(person) : (`${person.name}: ${person.age}` as Shown); }
const total = people.reduce<number>((sum, { age }) => sum + age, 0)!;
console.log(total satisfies number);
people.map((person) => show(person));
