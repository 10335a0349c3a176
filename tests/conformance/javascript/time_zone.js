// local times are those of the zone that TZ names, also when it is set at run time
// only = "the names of zones are those of newer data"
const show = () => {
  const rows = [new Date(0), new Date(2024, 0, 15, 12), new Date(2024, 6, 15, 12)].map((date) => `${date} | ${date.toISOString()} | ${date.getTimezoneOffset()} | ${date.toLocaleString()} | ${date.getHours()}:${date.getMinutes()} ${date.getDay()}`);
  console.log(process.env.TZ, new Intl.DateTimeFormat().resolvedOptions().timeZone);
  for (const row of rows) console.log(' ', row);
};
for (const zone of ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Sydney', 'UTC', 'US/Pacific', 'Asia/Kathmandu', 'America/St_Johns']) { process.env.TZ = zone; show(); }
// Times that are skipped, and those that come twice.
process.env.TZ = 'America/New_York';
for (const [month, day, hour, minute] of [[2, 10, 1, 59], [2, 10, 2, 30], [2, 10, 3, 0], [2, 10, 6, 0], [10, 3, 0, 59], [10, 3, 1, 30], [10, 3, 2, 0], [10, 3, 5, 0]]) console.log(new Date(2024, month, day, hour, minute).toISOString(), new Date(2024, month, day, hour, minute).toString());
process.env.TZ = 'Europe/Berlin';
const day = new Date('2024-03-30T12:00:00');
for (let i = 0; i < 3; i++) { console.log(day.toString(), day.toISOString(), day.toTimeString()); day.setDate(day.getDate() + 1); }
const hours = new Date(2024, 2, 31, 1);
hours.setHours(2);
console.log(hours.toISOString(), Date.parse('2024-07-01T00:00:00'), Date.parse('2024-07-01'), new Date('Jul 1, 2024 10:00').toISOString(), new Date(2024, 9, 27, 2, 30).toISOString());
console.log(new Date(1900, 0, 1).getFullYear(), new Date(2100, 6, 1).getTimezoneOffset(), new Date(2024, 0, 1).toLocaleTimeString('de-DE', { timeZoneName: 'short' }), new Date(2024, 0, 1).toLocaleDateString('en-US', { timeZone: 'Asia/Tokyo', dateStyle: 'full' }));
delete process.env.TZ;
console.log(new Date(0).getHours(), process.env.TZ);
