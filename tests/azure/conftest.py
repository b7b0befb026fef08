collect_ignore_glob = ["scripts/*"]  # of users, run by test_scripts.py
