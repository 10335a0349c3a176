# tic-tac-toe with minimax, and a tournament of strategies
import random
from functools import lru_cache
from itertools import product

LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


def winner(board):
    for a, b, c in LINES:
        if board[a] != " " and board[a] == board[b] == board[c]:
            return board[a]
    return "draw" if " " not in board else None


def moves(board):
    return [i for i, cell in enumerate(board) if cell == " "]


def play(board, move, player):
    return board[:move] + player + board[move + 1 :]


@lru_cache(maxsize=None)
def minimax(board, player, me):
    result = winner(board)
    if result:
        return {me: 1, "draw": 0}.get(result, -1)
    scores = [minimax(play(board, move, player), "O" if player == "X" else "X", me) for move in moves(board)]
    return max(scores) if player == me else min(scores)


def perfect(board, player, rng):
    other = "O" if player == "X" else "X"
    return max(moves(board), key=lambda move: (minimax(play(board, move, player), other, player), -move))


def careless(board, player, rng):
    return rng.choice(moves(board))


def greedy(board, player, rng):
    for who in (player, "O" if player == "X" else "X"):
        for move in moves(board):
            if winner(play(board, move, who)) == who:
                return move
    return 4 if board[4] == " " else rng.choice(moves(board))


def game(first, second, rng, show=False):
    board, players = " " * 9, {"X": first, "O": second}
    turn = "X"
    while not winner(board):
        board = play(board, players[turn](board, turn, rng), turn)
        turn = "O" if turn == "X" else "X"
        if show:
            print("\n-+-+-\n".join("|".join(board[row : row + 3]) for row in (0, 3, 6)), end="\n\n")
    return winner(board)


rng = random.Random(5)
print("winner:", game(perfect, greedy, rng, show=True))
strategies = [perfect, careless, greedy]
for first, second in product(strategies, repeat=2):
    results = [game(first, second, rng) for _ in range(20)]
    print(f"{first.__name__:>8} vs {second.__name__:<8} X {results.count('X'):>2} O {results.count('O'):>2} draw {results.count('draw'):>2}")
print(minimax.cache_info())
