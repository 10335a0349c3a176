// dates in UTC, and sorting
const day = new Date(Date.UTC(2024, 1, 29, 12, 30));
console.log(day.toISOString(), day.getUTCDay(), new Date("2024-05-06T07:08:09+02:00").toJSON(), Date.now() > 1.6e12, day.getTimezoneOffset());
console.log([10, 9, 1].sort().join(), ["b", "a"].sort((x, y) => (x < y ? -1 : 1)), isNaN(new Date("x")));
