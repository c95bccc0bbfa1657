"""The student: how it answers, how its data is curated, how it is trained, examined and promoted."""
