// typed date ranges, bookings, overlaps and calendars
interface Range { readonly start: Date; readonly end: Date }
interface Booking extends Range { id: string; room: Room; guests: number }
type Room = `room-${number}`;
const DAY = 86_400_000;
const day = (text: `${number}-${number}-${number}`): Date => { const d = new Date(`${text}T00:00:00Z`); if (Number.isNaN(+d) || d.toISOString().slice(0, 10) !== text) throw new RangeError(`no such day: ${text}`); return d; };
const iso = (d: Date): string => d.toISOString().slice(0, 10);
const nights = ({ start, end }: Range): number => Math.round((+end - +start) / DAY);
const overlaps = (a: Range, b: Range): boolean => a.start < b.end && b.start < a.end;
function* days({ start, end }: Range): Generator<Date> { for (let t = +start; t < +end; t += DAY) yield new Date(t); }

class Hotel {
  private readonly bookings: Booking[] = [];
  constructor(private readonly prices: Readonly<Record<Room, number>>) {}
  book(room: Room, start: Date, end: Date, guests = 1): Booking {
    if (!(room in this.prices)) throw new ReferenceError(`unknown ${room}`);
    if (nights({ start, end }) < 1) throw new RangeError('a stay has a night or more');
    const clash = this.bookings.find((b) => b.room === room && overlaps(b, { start, end }));
    if (clash) throw new Error(`${room} is taken by ${clash.id} until ${iso(clash.end)}`);
    const booking: Booking = { id: `B${String(this.bookings.length + 1).padStart(3, '0')}`, room, start, end, guests };
    this.bookings.push(booking);
    return booking;
  }
  cost(b: Booking): number { return [...days(b)].reduce((sum, d) => sum + this.prices[b.room]! * (d.getUTCDay() % 6 ? 1 : 1.25), 0); }
  occupancy(range: Range): Map<string, number> {
    const rooms = Object.keys(this.prices).length;
    return new Map([...days(range)].map((d) => [iso(d), this.bookings.filter((b) => b.start <= d && d < b.end).length / rooms]));
  }
}
const hotel = new Hotel({ 'room-1': 80, 'room-2': 120.5 });
type Attempt = [room: Room, start: Parameters<typeof day>[0], end: Parameters<typeof day>[0], guests?: number];
const attempts: Attempt[] = [['room-1', '2025-02-26', '2025-03-03', 2], ['room-1', '2025-03-02', '2025-03-04'], ['room-1', '2025-03-03', '2025-03-04'], ['room-2', '2025-02-28', '2025-03-01'], ['room-2', '2025-02-30', '2025-03-01'], ['room-3', '2025-01-01', '2025-01-02'], ['room-2', '2025-01-02', '2025-01-02']];
for (const [room, start, end, ...rest] of attempts) {
  try {
    const booking = hotel.book(room, day(start), day(end), ...rest);
    console.log(booking.id, room, nights(booking), 'nights', hotel.cost(booking).toFixed(2), booking.guests);
  } catch (error) {
    console.log(`${(error as Error).name}: ${(error as Error).message}`);
  }
}
console.log(hotel.occupancy({ start: day('2025-02-25'), end: day('2025-03-05') }));
const quarter = (d: Date): 1 | 2 | 3 | 4 => (Math.floor(d.getUTCMonth() / 3) + 1) as 1 | 2 | 3 | 4;
const merged = (ranges: Range[]): Range[] => ranges.toSorted((a, b) => +a.start - +b.start).reduce<Range[]>((all, r) => { const last = all.at(-1); if (last && r.start <= last.end) all[all.length - 1] = { start: last.start, end: new Date(Math.max(+last.end, +r.end)) }; else all.push(r); return all; }, []);
console.log(merged([{ start: day('2025-01-10'), end: day('2025-01-12') }, { start: day('2025-01-01'), end: day('2025-01-05') }, { start: day('2025-01-04'), end: day('2025-01-07') }]).map((r) => `${iso(r.start)}/${iso(r.end)}`), quarter(day('2025-11-05')));
console.log({ booking: hotel.book('room-2', day('2025-05-01'), day('2025-05-03')) });
