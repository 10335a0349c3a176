// a redux-like store with middleware, selectors, undo and subscriptions
const createStore = (reducer, initial, ...middleware) => {
  let state = initial, listeners = new Set();
  const store = {
    getState: () => state,
    subscribe(fn) { listeners.add(fn); return () => listeners.delete(fn); },
    dispatch(action) { state = reducer(state, action); for (const fn of listeners) fn(state, action); return action; },
  };
  store.dispatch = middleware.reduceRight((next, m) => m(store)(next), store.dispatch);
  return store;
};
const logger = (store) => (next) => (action) => { const before = store.getState(); const result = next(action); console.log(action.type ?? 'thunk', before === store.getState() ? 'unchanged' : 'changed'); return result; };
const thunk = (store) => (next) => (action) => (typeof action === 'function' ? action(store.dispatch, store.getState) : next(action));
const undoable = (reducer) => (state = { past: [], present: reducer(undefined, {}), future: [] }, action) => {
  const { past, present, future } = state;
  switch (action.type) {
    case 'UNDO': return past.length ? { past: past.slice(0, -1), present: past.at(-1), future: [present, ...future] } : state;
    case 'REDO': return future.length ? { past: [...past, present], present: future[0], future: future.slice(1) } : state;
    default: { const next = reducer(present, action); return next === present ? state : { past: [...past, present], present: next, future: [] }; }
  }
};
const todos = (state = [], { type, payload }) => ({ ADD: () => [...state, { id: state.length + 1, text: payload, done: false }], TOGGLE: () => state.map((t) => (t.id === payload ? { ...t, done: !t.done } : t)), CLEAR: () => state.filter((t) => !t.done) })[type]?.() ?? state;
const createSelector = (...fns) => { const combine = fns.pop(); let lastArgs, lastResult, computed = 0; const selector = (s) => { const args = fns.map((f) => f(s)); if (!lastArgs || args.some((a, i) => a !== lastArgs[i])) { lastResult = combine(...args); lastArgs = args; computed++; } return lastResult; }; selector.computed = () => computed; return selector; };

const store = createStore(undoable(todos), undefined, thunk, logger);
store.dispatch({ type: '@@INIT' });
const open = createSelector((s) => s.present, (items) => items.filter((t) => !t.done).map((t) => t.text));
const stop = store.subscribe((s, a) => console.log('  ->', a.type, s.present.length, open(s)));
for (const action of [{ type: 'ADD', payload: 'milk' }, { type: 'ADD', payload: 'eggs' }, { type: 'TOGGLE', payload: 1 }, { type: 'NOTHING' }, { type: 'CLEAR' }, { type: 'UNDO' }, { type: 'UNDO' }, { type: 'REDO' }]) store.dispatch(action);
stop();
const load = () => async (dispatch, getState) => { await null; dispatch({ type: 'ADD', payload: 'async item' }); return getState().present.length; };
store.dispatch(load()).then((n) => console.log('loaded', n, open(store.getState()), open.computed()));
console.log(store.getState());
console.dir(store.getState(), { depth: 4, compact: false });
const util = require('util');
console.log(util.inspect(store.getState(), { depth: 0 }), util.inspect({ a: [1, 2, [3]] }, { compact: true, breakLength: Infinity }), util.inspect('str'), util.isDeepStrictEqual({ a: [1] }, { a: [1] }), util.types.isPromise(load()), util.inspect({ a: 1, b: { c: 2 } }, { colors: true }), util.inspect([3, 1, 2], { sorted: true, maxArrayLength: 1 }), util.format('%s %O', 'x', { y: 1 }));
