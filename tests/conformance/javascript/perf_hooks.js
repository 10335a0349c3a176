// node:perf_hooks: marks, measures, observers
const { performance, PerformanceObserver, PerformanceEntry } = require('perf_hooks');
const observer = new PerformanceObserver((list, self) => {
  console.log(list.getEntries().map((entry) => `${entry.entryType} ${entry.name}`).sort(), self === observer, list.getEntriesByName('b').length, list.getEntriesByType('measure').length);
  self.disconnect();
});
observer.observe({ entryTypes: ['mark', 'measure'] });
const mark = performance.mark('a', { detail: { id: 1 } });
performance.mark('b', { startTime: mark.startTime + 5 });
const measure = performance.measure('ab', 'a', 'b');
console.log(mark instanceof PerformanceEntry, mark.constructor.name, mark.detail, mark.duration, measure.constructor.name, Math.round(measure.duration), measure.startTime === mark.startTime);
console.log(performance.measure('from options', { start: 10, end: 30, detail: 'x' }).duration, performance.measure('for a while', { start: 10, duration: 5 }).duration);
console.log(performance.getEntriesByType('mark').length, performance.getEntriesByName('a').length, performance.getEntriesByName('a', 'measure').length);
performance.clearMarks('a');
console.log(performance.getEntriesByType('mark').map((entry) => entry.name), performance.getEntriesByType('measure').length);
performance.clearMarks();
performance.clearMeasures();
console.log(performance.getEntries().length, typeof performance.now(), performance.timeOrigin > 0);
for (const wrong of [() => performance.measure('x', 'missing'), () => new PerformanceObserver(5), () => new PerformanceEntry()]) try { wrong(); } catch (error) { console.log(error.name, error.code, error.message); }
const timed = performance.timerify(function add(a, b) { return a + b; });
console.log(timed(1, 2), timed.name, timed.length);
