# MEM02 takes many sizes and gives back every other one
# limits = { wall = "2s" }
# expect = ["limited:memory", "limited:fuel", "limited:wall"]
# --- twin
kept = [bytes(size) for size in range(1, 3000)]
del kept[::2]
print("ok")
# --- attack
kept = []
size = 100
while True:
    kept.extend(bytes(size + number * 13) for number in range(500))
    del kept[::2]
    size += 97
