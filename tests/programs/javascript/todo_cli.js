// a to-do list with commands from arguments and a JSON file
// arguments = ["add", "Buy milk", "--priority", "high", "--tag=home", "-v"]
const fs = require('node:fs');
const { parseArgs } = require('node:util');
const FILE = 'todos.json';

const load = () => (fs.existsSync(FILE) ? JSON.parse(fs.readFileSync(FILE, 'utf8')) : []);
const save = (todos) => fs.writeFileSync(FILE, JSON.stringify(todos, null, 2));

function run(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { priority: { type: 'string', short: 'p', default: 'normal' }, tag: { type: 'string', multiple: true, default: [] }, verbose: { type: 'boolean', short: 'v' } },
  });
  const [command, ...words] = positionals;
  const todos = load();
  switch (command) {
    case 'add':
      todos.push({ id: Math.max(0, ...todos.map((t) => t.id)) + 1, text: words.join(' '), done: false, ...values });
      break;
    case 'done': {
      const todo = todos.find((t) => t.id === Number(words[0]));
      if (!todo) throw new Error(`no item ${words[0]}`);
      todo.done = true;
      break;
    }
    case 'list':
      for (const { id, done, text, priority, tag } of todos) console.log(`${id}. [${done ? 'x' : ' '}] ${text.padEnd(12)} ${priority}${tag.length ? ' #' + tag.join(' #') : ''}`);
      break;
    default:
      throw new TypeError(`unknown command: ${command}`);
  }
  if (values.verbose) console.log(values, positionals);
  save(todos);
}

run(process.argv.slice(2));
for (const line of ['add Call Ann -p low', 'add Write report --tag work --tag urgent', 'done 2', 'list', 'done 9', 'dance', 'list --nope', 'add x --priority']) {
  console.log('$', line);
  try {
    run(line.split(' '));
  } catch (error) {
    console.log(`${error.name}: ${error.message}`, error.code ?? '');
  }
}
console.log(fs.readFileSync(FILE, 'utf8'));
