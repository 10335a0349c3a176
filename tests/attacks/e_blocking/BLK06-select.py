# BLK06 selects nothing for an hour
# limits = { wall = "500ms" }
# expect = ["limited:wall", "denied"]
# --- twin
import select
assert select.select([], [], [], 0) == ([], [], [])
print("ok")
# --- attack
import select
select.select([], [], [], 3600)
