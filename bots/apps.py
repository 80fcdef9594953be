from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_delete, post_save


class BotsConfig(AppConfig):
    name = "bots"
    verbose_name = "Bots"

    def ready(self) -> None:
        """Keep every bot's schedule in step, whoever saves or deletes the bot; let SQLite sum money exactly."""
        from bots import schedule, sums
        from bots.models import Bot

        post_save.connect(schedule.bot_saved, sender=Bot, dispatch_uid="bots.schedule.saved")
        post_delete.connect(schedule.bot_deleted, sender=Bot, dispatch_uid="bots.schedule.deleted")
        connection_created.connect(sums.teach, dispatch_uid="bots.sums.teach")
