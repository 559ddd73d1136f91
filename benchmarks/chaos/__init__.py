"""`python -m benchmarks chaos [--minutes N]`: replicas, workers and the controller come to harm under load, and what is lost is counted.

`app.py` is the application that can be made to misbehave, `clients.py` the load and the judgement of each request, `faults.py` what
happens and when, `house.py` the program under test, `run.py` puts them together and prints the figures.
"""

NAME = "chaos"
