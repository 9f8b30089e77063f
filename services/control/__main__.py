"""``python -m services.control``: the control process, until it is asked to end."""

from services.control.process.main import main

if __name__ == "__main__":
    raise SystemExit(main())
