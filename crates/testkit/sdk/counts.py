"""How often each thing was seen to hold."""


class Counts:
    def __init__(self, names):
        self.of = dict.fromkeys(names, 0)

    def add(self, name, number=1):
        self.of[name] += number

    def complete(self):
        return all(self.of.values())

    def __str__(self):
        return ", ".join(f"{number} {name}" for name, number in self.of.items())
