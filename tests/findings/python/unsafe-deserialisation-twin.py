# expect:
import json
import pickle

with open("model.pickle", "rb") as file:
    model = pickle.load(file)
print(pickle.loads(pickle.dumps(model)), json.loads("[1]"))
