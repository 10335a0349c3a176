// decorators of parameters make the file one of the older form
const notes: unknown[] = [];
function inject(name: string) { return (target: any, key: string | undefined, index: number) => { notes.push(['parameter', name, key, index]); }; }
function method(target: any, key: string, descriptor: PropertyDescriptor) { notes.push(['method', key, typeof descriptor.value]); }
function mark(Class: Function) { notes.push(['class', Class.name]); }
@mark
class Service {
  constructor(@inject('store') private store: string) {}
  @method run(@inject('id') id: number): string { return `${this.store} ${id}`; }
}
console.log(new Service('disk').run(3));
console.log(JSON.stringify(notes));
