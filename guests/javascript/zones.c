//! Time zones: what is the offset of a zone at a time, and which zone do local times have?
//!
//! The zones are those of IANA as compiled files (RFC 9636), of which the second block is kept. The engine asks through `localtime_r`, and
//! `Intl` through `zoneAt`. The zone of the program is the variable `TZ`, otherwise UTC.

typedef struct {
    const char *name;
    int32_t number;
} zone_name_t;

typedef struct {
    const char *name;
    int32_t parent;
    uint32_t at, length, whole;
} locale_piece_t;

// `zone_names`, `zone_places` and `locale_pieces`.
#include "locale_data.h"

static const uint8_t zone_data[] = {
#embed "zone_data.bin"
};

#define NO_ZONE (-1)
#define ZONE_HEADER 44
#define DAY INT64_C(86400)

static const zone_name_t *current_zone;

typedef struct {
    int32_t offset;
    bool is_dst;
} zone_type_t;

static int32_t big_endian_32(const uint8_t *bytes) {
    return (int32_t)((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3]);
}

static int64_t big_endian_64(const uint8_t *bytes) {
    return (int64_t)((uint64_t)(uint32_t)big_endian_32(bytes) << 32 | (uint32_t)big_endian_32(bytes + 4));
}

// Days since 1970 of the first day of a year.
static int64_t days_before_year(int64_t year) {
    int64_t before = year - 1;
    int64_t leaps = (before >= 0 ? before / 4 - before / 100 + before / 400 : -((-before + 3) / 4 - (-before + 99) / 100 + (-before + 399) / 400));
    return 365 * (year - 1970) + leaps - 477;
}

static bool is_leap_year(int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// The text of POSIX behind the last change of a zone: a cursor over it.
static const char *skip_zone_name(const char *text) {
    if (*text == '<') {
        while (*text != '>' && *text != '\n')
            text++;
        return *text == '>' ? text + 1 : text;
    }
    while (isalpha((unsigned char)*text))
        text++;
    return text;
}

static const char *take_number(const char *text, int32_t *number) {
    *number = 0;
    while (isdigit((unsigned char)*text))
        *number = *number * 10 + (*text++ - '0');
    return text;
}

// hours[:minutes[:seconds]], with a sign.
static const char *take_time(const char *text, int32_t *seconds) {
    int32_t sign = 1, part, unit = 3600;
    if (*text == '+' || *text == '-')
        sign = *text++ == '-' ? -1 : 1;
    text = take_number(text, &part);
    *seconds = part * unit;
    while (*text == ':' && unit > 1) {
        unit /= 60;
        text = take_number(text + 1, &part);
        *seconds += part * unit;
    }
    *seconds *= sign;
    return text;
}

// The local second of a year at which a rule such as `M3.2.0/2`, `J60` or `59` holds.
static const char *take_rule(const char *text, int64_t year, int64_t *when) {
    static const uint16_t before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int64_t days = days_before_year(year);
    int32_t month, week, day, seconds = 7200;
    if (*text == 'M') {
        text = take_number(text + 1, &month);
        text = take_number(text + 1, &week);
        text = take_number(text + 1, &day);
        month = month < 1 ? 1 : month > 12 ? 12 : month;
        int64_t first = days + before_month[month - 1] + (month > 2 && is_leap_year(year));
        int32_t length = before_month[month] - before_month[month - 1] + (month == 2 && is_leap_year(year));
        // 1970 began on a Thursday.
        int32_t weekday = (int32_t)(((first + 4) % 7 + 7) % 7);
        int32_t in_month = (day - weekday + 7) % 7 + (week - 1) * 7;
        while (in_month >= length)
            in_month -= 7;
        days = first + in_month;
    } else if (*text == 'J') {
        text = take_number(text + 1, &day);
        days += day - 1 + (day >= 60 && is_leap_year(year));
    } else {
        text = take_number(text, &day);
        days += day;
    }
    if (*text == '/')
        text = take_time(text + 1, &seconds);
    *when = days * DAY + seconds;
    return text;
}

static int64_t year_of(int64_t seconds) {
    int64_t days = seconds / DAY - (seconds % DAY < 0);
    int64_t year = 1970 + days / 366 - (days < 0);
    while (days_before_year(year + 1) <= days)
        year++;
    while (days_before_year(year) > days)
        year--;
    return year;
}

// False if the text says nothing.
static bool type_by_text(const char *text, int64_t seconds, zone_type_t *type) {
    if (*text == '\n' || !*text)
        return false;
    int32_t standard, daylight;
    text = take_time(skip_zone_name(text), &standard);
    *type = (zone_type_t){-standard, false};
    if (*text == '\n' || *text == ',')
        return true;
    text = skip_zone_name(text);
    daylight = standard - 3600;
    if (*text != ',')
        text = take_time(text, &daylight);
    if (*text != ',')
        return true;
    int64_t begin, end, year = year_of(seconds - standard);
    text = take_rule(text + 1, year, &begin);
    if (*text != ',')
        return true;
    take_rule(text + 1, year, &end);
    begin += standard;
    end += daylight;
    bool is_dst = begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
    if (is_dst)
        *type = (zone_type_t){-daylight, true};
    return true;
}

static zone_type_t zone_type_at(int32_t number, int64_t seconds) {
    zone_type_t type = {0, false};
    if (number < 0 || (size_t)number + 1 >= countof(zone_places))
        return type;
    const uint8_t *block = zone_data + zone_places[number];
    int32_t standard_flags = big_endian_32(block + 24), utc_flags = big_endian_32(block + 20), leaps = big_endian_32(block + 28);
    int32_t count = big_endian_32(block + 32), types = big_endian_32(block + 36), letters = big_endian_32(block + 40);
    const uint8_t *times = block + ZONE_HEADER, *indices = times + 8 * count, *records = indices + count;
    const char *text = (const char *)records + 6 * types + letters + 12 * leaps + standard_flags + utc_flags + 1;
    if ((count == 0 || seconds >= big_endian_64(times + 8 * (count - 1))) && type_by_text(text, seconds, &type))
        return type;
    int32_t low = 0, high = count;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (big_endian_64(times + 8 * middle) <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    const uint8_t *record = records + 6 * (low ? indices[low - 1] : 0);
    return (zone_type_t){big_endian_32(record), record[4] != 0};
}

static int64_t seconds_of(int64_t milliseconds) {
    return milliseconds / 1000 - (milliseconds % 1000 < 0);
}

struct tm *zone_localtime_r(const time_t *seconds, struct tm *result) {
    result->tm_gmtoff = current_zone ? zone_type_at(current_zone->number, *seconds).offset : 0;
    return result;
}

// The offset of a local time, in milliseconds. A time that is skipped or that comes twice has the offset from before the change.
static int64_t zone_offset_of_local(int64_t milliseconds) {
    if (!current_zone)
        return 0;
    int64_t local = seconds_of(milliseconds);
    int32_t number = current_zone->number;
    int32_t before = zone_type_at(number, local - DAY).offset, after = zone_type_at(number, local + DAY).offset;
    if (before != after && zone_type_at(number, local - before).offset != before && zone_type_at(number, local - after).offset == after)
        before = after;
    // Whole minutes, as the engine shows them.
    return (int64_t)(before / 60) * 60000;
}

// Makes a name the zone of local times. A name that is unknown, like none, means UTC.
static void use_zone(const char *name) {
    current_zone = NULL;
    if (!name)
        return;
    if (*name == ':')
        name++;
    for (size_t i = 0; i < countof(zone_names); i++) {
        if (!strcasecmp(name, zone_names[i].name))
            current_zone = &zone_names[i];
    }
}

// The first evaluation takes the zone of the environment; later ones keep what the program set.
static void use_zone_of_environment(void) {
    for (uint32_t i = 0; i + 1 < program_environment.length; i += 2) {
        wasi_list_t name = program_environment.items[i], value = program_environment.items[i + 1];
        char zone[64];
        if (name.length != 2 || memcmp(name.bytes, "TZ", 2) || value.length >= sizeof zone)
            continue;
        memcpy(zone, value.bytes, value.length);
        zone[value.length] = '\0';
        use_zone(zone);
    }
}

// useZone(name or undefined)
static JSValue native_use_zone(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    if (JS_IsUndefined(argv[0])) {
        use_zone(NULL);
        return JS_UNDEFINED;
    }
    const char *name = JS_ToCString(ctx, argv[0]);
    if (!name)
        return JS_EXCEPTION;
    use_zone(name);
    JS_FreeCString(ctx, name);
    return JS_UNDEFINED;
}

// zoneName(): the zone of local times; undefined if it is UTC for want of another.
static JSValue native_zone_name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return current_zone ? JS_NewString(ctx, current_zone->name) : JS_UNDEFINED;
}

// zoneAt(number, seconds): twice the offset in seconds, plus one if it is summer time.
static JSValue native_zone_at(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    int32_t number;
    int64_t seconds;
    if (JS_ToInt32(ctx, &number, argv[0]) || JS_ToInt64(ctx, &seconds, argv[1]))
        return JS_EXCEPTION;
    zone_type_t type = zone_type_at(number, seconds);
    return JS_NewInt32(ctx, type.offset * 2 + type.is_dst);
}
