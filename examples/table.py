from rich.console import Console
from rich.table import Table

table = Table("item", "price")
table.add_row("gloves", "12.50")
table.add_row("boxes", " 3.75")
Console().print(table)
