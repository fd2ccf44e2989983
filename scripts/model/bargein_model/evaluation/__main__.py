"""`python -m bargein_model.evaluation`: the command behind `scripts/model/evaluate`."""

from bargein_model.evaluation.cli import main

if __name__ == "__main__":  # worker processes import this file, too
    main()
