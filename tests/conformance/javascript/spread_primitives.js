// spread: texts, numbers and other values that are no objects
const show = (value) => console.log(JSON.stringify(value));
show({ ...'hi' }); show({ ...'' }); show({ ...'é😀' }); show({ ...1, ...true, ...null, ...undefined, ...7n, ...Symbol('x') }); show({ ...[7, 8] });
show({ ...new String('ab') }); show({ a: 1, ...'xy', 1: 'z' }); show(Object.assign({}, 'hi', 5, null, [9])); show(Object.assign('ab', {}));
show([...'hi']); show([...'é😀']); show(Array.from('hi')); show(Object.entries('hi')); show(Math.max(...'372'));
const { length, ...rest } = 'hi'; show([length, rest]);
const { 0: first, ...others } = 'abc'; show([first, others]);
const [head, ...tail] = 'xyz'; show([head, tail]);
const { toFixed, ...none } = 5; show([typeof toFixed, none]);
const pick = ({ length, ...more }) => [length, more]; show(pick('ab')); show(pick([1, 2])); show(pick(() => 1));
show((function (...all) { return all; })(...'ab', ...new Set('cc')));
