"""One page, whose static files may come from a CDN."""

from flask import Flask, render_template

from poster.assets import address

app = Flask(__name__)
app.jinja_env.globals["asset"] = address


@app.get("/")
def index():
    return render_template("index.html")


@app.get("/healthz")
def health():
    """kraft asks this before it switches to a new release."""
    return "ok\n", {"content-type": "text/plain"}
