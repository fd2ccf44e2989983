"""The model of Bargein: composing training material, training, export, evaluation."""
