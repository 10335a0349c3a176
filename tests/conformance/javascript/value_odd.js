// a value without a faithful JSON form has its text only
// value = "Map(1) { 'a' => 1n }"
new Map([["a", 1n]]);
