"""Names, entry point and extras; every tool's settings are in pyproject.toml."""

import pathlib

from setuptools import find_packages, setup

setup(
    name="ringnode",
    version="0.1.0",
    description="A music library that no single machine can lose",
    long_description=pathlib.Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["ringnode", "ringnode.*", "api", "api.*"]),
    package_data={"ringnode.catalogue": ["schema.sql"], "api": ["built/**"]},
    install_requires=[
        "Pyro5>=5.17,<6",
        "serpent>=1.43",
        "msgpack>=1.1",
        "flask>=3.1",
        "flask-restx>=1.3.2",
        "granian>=2.7",
        "mutagen>=1.47",
        "blake3>=1.0",
        "orjson>=3.11",
        "rapidfuzz>=3.14",
        "pillow>=12",
        "cryptography>=44",
        "argon2-cffi>=25.1",
        "itsdangerous>=2.2",
        "click>=8.1",
        "rich>=14",
        "prometheus-client>=0.22",
        "zipstream-ng>=1.9",
    ],
    extras_require={
        "dev": [
            "setuptools>=70",  # what a wheel would have in it
            "pytest>=8.4",
            "pytest-timeout>=2.4",
            "pytest-xdist>=3.8",
            "hypothesis>=6.150",
            "schemathesis>=4.32",
            "openapi-spec-validator>=0.9",
            "pyyaml>=6",
            "kubernetes-validate>=1.37",
            "mypy>=1.18",
            "ruff>=0.14",
            "playwright>=1.55",
        ],
    },
    entry_points={"console_scripts": ["ringnode = ringnode.cli:main"]},
)
