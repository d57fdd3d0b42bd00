"""The exported model at work: a server's client, and Apache Beam."""
