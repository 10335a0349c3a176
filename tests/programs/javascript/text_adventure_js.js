// a text adventure read from standard input by events
// stdin = "look\ntake lamp\ngo north\ngo north\nuse lamp\ntake gold\ninventory\nxyzzy\nquit\nnever read\n"
const rooms = {
  hall: { text: 'You are in a dusty hall.', exits: { north: 'cave' }, items: new Set(['lamp', 'rope']) },
  cave: { text: 'It is dark here.', dark: true, exits: { south: 'hall' }, items: new Set(['gold']) },
};
const player = { room: 'hall', items: new Set(), lit: false, moves: 0 };
const commands = {
  look() {
    const room = rooms[player.room];
    if (room.dark && !player.lit) return 'You see nothing.';
    return [room.text, room.items.size ? `Items: ${[...room.items].join(', ')}.` : null, `Exits: ${Object.keys(room.exits)}.`].filter(Boolean).join(' ');
  },
  go(where) {
    const target = rooms[player.room].exits[where];
    if (!target) return `You cannot go ${where ?? 'nowhere'}.`;
    player.room = target;
    return commands.look();
  },
  take(item) {
    if (!rooms[player.room].items.delete(item)) return `There is no ${item}.`;
    player.items.add(item);
    return `Taken: ${item}.`;
  },
  use(item) {
    if (!player.items.has(item)) return `You have no ${item}.`;
    if (item === 'lamp') { player.lit = !player.lit; return `The lamp is ${player.lit ? 'on' : 'off'}. ${commands.look()}`; }
    return 'Nothing happens.';
  },
  inventory: () => (player.items.size ? [...player.items].sort().join(', ') : 'You carry nothing.'),
};
const rl = require('readline').createInterface({ input: process.stdin });
console.log(commands.look());
let ended = false;
rl.on('line', (line) => {
  if (ended) return;
  const [verb, noun] = line.trim().split(/\s+/);
  console.log(`> ${line}`);
  player.moves++;
  if (verb === 'quit') { ended = true; rl.close(); return; }
  console.log(Object.hasOwn(commands, verb) ? commands[verb](noun) : `I do not know how to ${verb}.`);
}).on('close', () => {
  console.log(`Bye after ${player.moves} moves.`, player);
});
